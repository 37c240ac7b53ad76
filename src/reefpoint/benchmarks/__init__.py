"""What the engine and its loading cost, measured in one run against general engines that give the same answer."""
