"""What stands before the services: the portal people use, the command line, and the one-process embedded system."""
