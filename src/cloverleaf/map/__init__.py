"""The base map: lane graph, queries, routing, readers and writers."""
