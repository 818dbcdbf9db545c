"""The locked process that opens strangers' files; nothing of the server imports it.

__main__: the process: locks itself, reads a file from stdin, writes frames to stdout
archives: archives: lists the names inside, unpacks nothing
confinement: takes network, files and memory away from this process (Landlock, rlimits)
documents: office documents
pdf: PDF: pictures of its pages, nothing of the file itself
pictures: pictures drawn anew from their pixels
plain_text: plain text with invisible and turning characters shown
sound: sound and video, by ffmpeg
"""
