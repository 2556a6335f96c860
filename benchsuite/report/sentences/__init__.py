"""The sentences of the verdict, and which of them are said."""
