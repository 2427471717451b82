//! ResourceGraphDefinition plus schemas -> typed graph, CRD and diagnostics.
