"""What reporting does with each fact: fold, save, and mark what is to be counted again."""
