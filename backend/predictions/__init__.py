"""The memory: forecasts with all that reproduces them, their delivery, and alerts.

Knows people, registry, audit and the twin. An EHR, a model server and the clock come
as arguments; it knows neither FHIR nor ONNX nor HTTP.
"""
