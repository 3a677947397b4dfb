"""The export service: the EDC package of a sealed round."""
