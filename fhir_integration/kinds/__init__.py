"""One module per kind of FHIR resource that is read."""
