"""Pictures of results, as Vega-Lite specifications that altair shows, a module per kind."""
