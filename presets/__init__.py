"""Whole desks in a folder, shipped as package data."""
