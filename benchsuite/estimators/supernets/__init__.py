"""Supernets: their trainings, kept folders and readouts, for all families that read one."""
