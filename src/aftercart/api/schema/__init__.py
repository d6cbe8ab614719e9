"""The API as an OpenAPI 3.1 document: a decorator for every operation, to stand on the view that answers it."""
