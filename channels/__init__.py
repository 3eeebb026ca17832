"""The ways in and out: one adapter a channel, each stored-before-acknowledged, none knowing the others."""
