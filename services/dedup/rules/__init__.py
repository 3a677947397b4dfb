"""The domain of duplicates as pure functions: what a roll holds, how a case stands, who may answer and decide."""
