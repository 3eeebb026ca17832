"""Predictive models (encoders, training, retrieval, registry). Not ORM classes: those live beside their repository in `desk_core`."""

import os

# A message is a few products of a small matrix with a vector. Threads for those only wait for each other, at full speed: with two of
# them a turn took 97 ms of processor time instead of 45. Set before numpy is imported; whoever sets it otherwise is believed.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
