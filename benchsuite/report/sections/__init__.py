"""The sections of a report, one file a question; `benchsuite.report.contract` says what a section is."""
