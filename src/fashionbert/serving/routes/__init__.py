"""The routes, one module for each thing that one may want."""
