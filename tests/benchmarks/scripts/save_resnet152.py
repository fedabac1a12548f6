"""Builds and saves ResNet-152 as a Keras user would, to compare with."""

import sys

import keras

keras.applications.ResNet152(weights=None).save(sys.argv[1])
