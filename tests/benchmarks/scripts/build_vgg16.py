"""Builds VGG-16 as a Keras user would, to compare with."""

import keras

keras.applications.VGG16(weights=None)
