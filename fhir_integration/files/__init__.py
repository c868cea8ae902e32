"""Folders and files of FHIR: streamed, counted to the last resource, put into an EHR.

listing      which files of a folder are read, and what they were when a run began
documents    one file as its JSON objects, a line at a time where it has lines
containers   the resources of a Bundle or of Parameters
scope        what the entries of a Bundle may be called, and at which server
references   whose resource it is, by whatever kind of reference
spool        what a run has seen, as keyed hashes in a file: resumable, memory flat
medications  what resources point at, of each the newest version
verdict      newest versions, repetitions and totals, decided once all was seen
standing     in which files, and where there, what was refused stands
importing    a run from the first byte to the report
loading      resources into the sandbox EHR

Wearables' own files, as the same streams that Observations make:

wearable_files  files told by their content, and a run over them
wearable_csv    one value a row
open_mhealth    data points of IEEE 1752.1 and Open mHealth; point_bodies knows theirs
json_objects    the objects of a JSON file, one in memory at a time
data_points     what a file says, judged as the FHIR reader does
local_clock     times with and without offsets and zones

Genes' own files:

pharmcat        PharmCAT's reports, and the outside calls that go into it
"""
