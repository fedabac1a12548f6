"""Builds and saves VGG-16 as a Keras user would, to compare with."""

import sys

import keras

keras.applications.VGG16(weights=None).save(sys.argv[1])
