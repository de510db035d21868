"""Pictures -> patch features: decoding, cutting, the patch network, and the store that keeps the features on disk."""
