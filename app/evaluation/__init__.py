"""How good a model is on somebody's own pictures: retrieval scores with the truth given by folders."""
