"""PDF written anew with what its pages show.

clean: copies the pages into a new document; draws one page as a picture
drawings: the drawing commands of a page, and photos without their metadata
pruning: lists which entries may stay of the objects that a page needs
"""
