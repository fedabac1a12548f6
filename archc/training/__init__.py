"""Training: recipes, data, and runs that survive what machines do. Sits on the compiler, which knows nothing of it."""
