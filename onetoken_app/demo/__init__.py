"""A demo organization and a small real model on loopback, so that a newcomer can make a call after two minutes."""
