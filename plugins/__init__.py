"""Image analysis: the plugin contract, pure functions on images, and the library of plugins.

A plugin is a program that reads a folder and writes a folder; nothing here knows the bus, the store or
Docker.
"""
