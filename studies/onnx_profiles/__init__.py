"""Onnx profiles: what follows from the rows of that study."""
