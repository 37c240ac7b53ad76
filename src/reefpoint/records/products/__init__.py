"""Rule packs and lending schemes with their immutable published versions."""
