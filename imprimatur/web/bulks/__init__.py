"""Acts on many cases, from the pages: chosen, previewed, carried out in the background, reported case by case."""
