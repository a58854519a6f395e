"""A world, a lister with every fault, and the product's own domain functions in between."""
