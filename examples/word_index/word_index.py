"""An index of the words in a list of lines."""


def build(lines):
    """Of each word, the numbers of the lines that have it."""
    index = {}
    for number, line in enumerate(lines):
        for word in set(line.lower().split()):
            index.setdefault(word, []).append(number)
    return index


def lines_with(index, *words):
    """The numbers of the lines that have all these words, ascending."""
    return sorted(set.intersection(*(set(index.get(word, ())) for word in words)))
