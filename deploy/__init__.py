"""Data and scripts that deploy, rehearse and measure the system; nothing here is imported by a service."""
