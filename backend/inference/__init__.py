"""The adapter to models: folders of versions, checked, trusted and run.

Knows the twin's ports and errors, ONNX Runtime and Triton's configuration format. Must
not know Django, FHIR or any patient; what it is given are arrays, and what it keeps of
them is nothing.
"""
