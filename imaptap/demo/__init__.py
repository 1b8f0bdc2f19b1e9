"""A demonstration that needs nothing but imaptap: a cassette, a recorder that serves it, and a client."""
