"""The bare act: what a confirmation costs when it is one view, one UPDATE and one commit, and nothing besides: no windows, no
act kept, no receipt, no event, no log. It stands where intake's api processes stand, behind the same edge.
"""
