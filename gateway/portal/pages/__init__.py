"""The pages people use, by whom they serve: everyone (people), a school, an area, the nation.

Each blueprint parses, calls the services through `neighbours`, and renders one template.
"""
