"""Predictive models (encoders, training, retrieval, registry). Not ORM classes: those live beside their repository in `desk_core`."""
