"""Marks of other FHIR versions: what R4 does not know, and STU3, DSTU2 or R5 do.

Source: the elements of the resource types as HL7 publishes them for 1.0.2 (DSTU2),
3.0.2 (STU3), 4.0.1 (R4) and 5.0.0 (R5), hl7.org/fhir. Only types that a patient's
record holds are listed. Types and elements that R4B added are no marks: its resources
of the kinds that are read here are those of R4.
"""

from __future__ import annotations

# Types of DSTU2 and STU3 that R4 dropped or renamed, and types that came with R5.
_TYPES = """
    BodySite Conformance DataElement DeviceComponent DeviceUseRequest DiagnosticOrder
    EligibilityRequest EligibilityResponse ExpansionProfile ImagingManifest
    ImagingObjectSelection MedicationOrder Order OrderResponse ProcedureRequest
    ProcessRequest ProcessResponse ReferralRequest Sequence ServiceDefinition
    ActorDefinition ArtifactAssessment BiologicallyDerivedProductDispense
    ConditionDefinition DeviceAssociation DeviceDispense DeviceUsage EncounterHistory
    FormularyItem GenomicStudy ImagingSelection InventoryItem InventoryReport
    NutritionIntake Permission RequestOrchestration Requirements TestPlan Transport
"""
TYPES = frozenset(_TYPES.split())

# Elements that R4 does not have: those of older versions first, then those of R5.
ELEMENTS = {
    "AllergyIntolerance": """
        substance status onset lastOccurence assertedDate
        participant""",
    "CarePlan": "context definition relatedPlan modified participant custodian",
    "CareTeam": "context reason",
    "ClinicalImpression": "context action changePattern",
    "Communication": "context definition notDone notDoneReason requestDetail reason",
    "Condition": """
        patient context dateRecorded assertedDate notes abatementBoolean
        participant""",
    "Consent": """
        action actor consentingParty data dataPeriod except purpose securityLabel
        sourceIdentifier period
        controller date decision grantee grantor manager policyBasis policyText
        regulatoryBasis subject""",
    "Coverage": "grouping sequence bin group plan insurancePlan insurer kind",
    "Device": """
        model udi udiCarrierString
        availabilityStatus biologicalSourceEvent category conformsTo cycle displayName
        duration endpoint gateway mode name""",
    "DiagnosticReport": """
        context codedDiagnosis image requestDetail
        composition note study supportingInfo""",
    "DocumentReference": """
        class created indexed
        attester basedOn bodySite event facilityType modality period practiceSetting
        version""",
    "Encounter": """
        patient reason indication incomingReferral
        actualPeriod admission careTeam dietPreference plannedEndDate plannedStartDate
        specialArrangement specialCourtesy subjectStatus virtualService""",
    "FamilyMemberHistory": """
        definition gender notDone notDoneReason
        participant procedure reason""",
    "Goal": "author status continuous outcome",
    "Immunization": """
        date explanation notGiven practitioner vaccinationProtocol wasNotGiven reported
        administeredProduct basedOn informationSource reason supportingInformation""",
    "Medication": """
        product package image isBrand isOverTheCounter
        definition doseForm marketingAuthorizationHolder totalVolume""",
    "MedicationAdministration": """
        patient encounter prescription practitioner definition notGiven wasNotGiven
        reasonNotGiven reasonGiven effectiveTimeDateTime effectiveTimePeriod
        basedOn isSubPotent subPotentReason medication reason recorded
        occurenceDateTime occurencePeriod occurenceTiming
        occurrenceDateTime occurrencePeriod occurrenceTiming""",
    "MedicationDispense": """
        patient dispenser notDone notDoneReasonCodeableConcept notDoneReasonReference
        basedOn encounter medication notPerformedReason recorded
        renderedDosageInstruction statusChanged""",
    "MedicationRequest": """
        patient prescriber context definition dateWritten dateEnded reasonEnded
        device effectiveDosePeriod informationSource medication reason
        renderedDosageInstruction reported statusChanged""",
    "MedicationStatement": """
        patient taken wasNotTaken reasonNotTaken reasonForUseCodeableConcept
        reasonForUseReference supportingInformation
        adherence effectiveTiming encounter medication reason
        relatedClinicalInformation renderedDosageInstruction""",
    "Observation": """
        context related comment comments
        bodyStructure instantiatesCanonical instantiatesReference triggeredBy
        valueAttachment valueReference""",
    "Organization": "description qualification",
    "Patient": "animal careProvider",
    "Practitioner": "practitionerRole deceasedBoolean deceasedDateTime",
    "Procedure": """
        context definition notDone notDoneReason notPerformed reasonNotPerformed
        focus occurrenceAge occurrenceDateTime occurrencePeriod occurrenceRange
        occurrenceString occurrenceTiming reason recorded reportedBoolean
        reportedReference supportingInfo used""",
    "Provenance": "period authorization basedOn encounter patient",
    "Questionnaire": """
        group concept
        copyrightLabel versionAlgorithmCoding versionAlgorithmString""",
    "QuestionnaireResponse": "context parent group",
    "RiskAssessment": "context comment reasonCodeableConcept reason",
    "ServiceRequest": "bodyStructure focus location reason",
    "Specimen": "combined feature role",
    "Task": """
        context definitionReference definitionUri reason
        doNotPerform performer requestedPerformer requestedPeriod""",
    "ValueSet": """
        extensible
        copyrightLabel versionAlgorithmCoding versionAlgorithmString""",
}

# Elements that R4 has with another JSON type: the type it has in the other version.
SHAPES: dict[str, dict[str, tuple[type, ...]]] = {
    "AllergyIntolerance": {
        "category": (str,),
        "clinicalStatus": (str,),
        "verificationStatus": (str,),
    },
    "Condition": {
        "category": (str, dict),
        "clinicalStatus": (str,),
        "verificationStatus": (str,),
        "stage": (dict,),
    },
    "Consent": {"provision": (list,), "identifier": (dict,)},
    "DiagnosticReport": {"category": (dict,)},
    "Encounter": {"class": (str, list), "serviceType": (list,), "appointment": (dict,)},
    "MedicationAdministration": {"category": (list,)},
    "MedicationDispense": {"category": (list,)},
    "MedicationRequest": {"category": (dict,), "performer": (list,)},
    "MedicationStatement": {"category": (list,), "informationSource": (list,)},
    "Observation": {"category": (dict,), "interpretation": (dict,)},
    "Practitioner": {"name": (dict,)},
    "Procedure": {"category": (list,)},
    "QuestionnaireResponse": {"questionnaire": (dict,), "identifier": (list,)},
    "RelatedPerson": {"relationship": (dict,)},
    "RiskAssessment": {"identifier": (dict,)},
    "ServiceRequest": {"patientInstruction": (list,)},
}

_DOSAGE = """
    doseQuantity doseRange rateQuantity rateRange rateRatio
    asNeeded asNeededFor"""
_DSTU2_DOSAGE = f"{_DOSAGE} quantityQuantity quantityRange"

# Elements within an element (an object, or each of a list) that R4 does not have there.
WITHIN = {
    "MedicationAdministration": {"dosage": "quantity"},
    "MedicationDispense": {
        "dosageInstruction": _DOSAGE,
        "performer": "onBehalfOf",
        "substitution": "responsibleParties",
    },
    "MedicationRequest": {
        "dosageInstruction": _DOSAGE,
        "dispenseRequest": "medicationCodeableConcept medicationReference",
        "requester": "agent onBehalfOf",
        "substitution": "allowed",
    },
    "MedicationStatement": {"dosage": _DSTU2_DOSAGE},
    "Observation": {"valueSampledData": "interval intervalUnit"},
    "Questionnaire": {
        "item": """
            option options initialBoolean initialCoding initialDate initialDateTime
            initialDecimal initialInteger initialReference initialString initialTime
            answerConstraint disabledDisplay"""
    },
    "QuestionnaireResponse": {"item": "subject"},
}

# Texts within an element that were lists in DSTU2: names had several family parts.
LISTS_WITHIN = {"Patient": {"name": "family"}, "RelatedPerson": {"name": "family"}}
