"""What follows from the saved rows of a published study; found by the ini value ``tailgate_reports``."""
