"""The Huffman codes of Layer III, as flat look-up tables (ISO/IEC 11172-3, annex B, table B.7).

A code is told by its leaves in the order of the tree: where one ends the next begins, so that its words need not be
written down. A leaf of a pair is x, y and its word's length, a leaf of a quadruple its four bits and the length, each a
digit to base 36.
"""

from typing import NamedTuple

import numpy as np

_LEAVES = {
    1: "113013102001",
    2: "226026125215205113013103001",
    3: "226026125215205103112012002",
    5: "338238327316137037307227126216026206113013103001",
    6: "337037236326306135315225025124214204013112103003",
    7: (
        "55a45a54a53a359449259529158518059349508439339248428147417407048238328038137317307227126215026206"
        "114013103001"
    ),
    8: (
        "55b54b45a53935a44a259529059158518349439509339248428148417048408238328138318038308226026206124214"
        "112013103002"
    ),
    9: (
        "559459358538549059448258528158517347437508048247427337407146416236326135315036306225025124214204"
        "113013103003"
    ),
    10: (
        "77b67b76b57b75b66b47a74a56a65a37a73a46a55b54b63a27972964a07a70962945a35a06953a44a17871836926925a"
        "52a15951934a43a168618608059509249429339049148418408238328038137317307227126216026206114013103001"
    ),
    11: (
        "77a67a76a75a66a47a74a57b55b56a65a37973946945a54a35a53a278728649079717178708368638608449259529059"
        "158627268068167617518348508439339248428148418048408237327136316037307226215124025205113013103002"
    ),
    12: (
        "77a67a769579759669479749659568378739559278728468648178718079709368638458548448069059267627617168"
        "608358538258528157517347437508048247427147336416236326407037306135315225124214025205004113013103"
    ),
    13: (
        "fejfcjfdiedhffgefgdfgeegcfgdegbfgfbgcegdcgafhe9hecfddffagcdgbefebf9fff9feafbdfdbf8fff8fccfaeg9eg"
        "8ef7fg7egf7edaeadfbcfcbff6f6fee8e5fe9ded9ef5ee7eacebbe4fef4ecafe6ff3e3fd8ded8e2fdf2d6ee9ce0fdc9e"
        "5eeabd7ded7e4edc8ed6e3edb9d9beaae1fcf1cf0cbade5de4d8cd6dde3de2c2ed0ed1ece1ce0d5ddd5d7cdc7d4dd8bd"
        "b8dd4d9ada9d6cdc6c3dcd3d7bd2dcd2c1dcb7c5cdc5d99d7adc3ca7d97d4bcd1b0dcd0c8aca8c4ccc4c6bcb6c3cb2cb"
        "c2b5bbb5c89c1cbc1b98c0ccc0bb4c6aca6c79c3bbb3b88c5ac2bba5c69ca4b78c87c94b77c76cb2a1bab1a0bbb0b96b"
        "4ab3aba3b59b95b2aaa2a1aaa1a0ab68ba0a86b49b93a39b58b85b67b29a92a57b75b38a83a66b47b74b56b65b73b199"
        "91909a90a48a84a72a46b64b28982918937a27a17971955a07a70a36a63a45a54a26a62a35a818089809169619069609"
        "53a44a259529059158518349439509249429339148417048408238328137317037307227126216026206114014103001"
    ),
    15: (
        "ffdefdfeddfdeecfddcfdfcddededdbfdfbccedecdddcafcfacbecebccdcdcc9fcf9ceacbdcdbc8fcf8cccc9ece9c7fc"
        "f7cadcdacbcc6fcaed0fdcbbf6b8ece8c5fc9dcf5b7ebe7bacbcabbbbd9c8dc4fbf4b3fbf3bd8be6b2fbf2b6ecf0c1fb"
        "f1b9cbc9b5ebabbbabe5b7dbd7b4ebe4b8cbc8b3eb6dbd6be3b9bbb9b2ebaabe2b1ebe1b0ece0c5dbd5b7cbc7b4db8bb"
        "d4ab8b9aba9b6cbc6b3dbd3ad2a2db0db1da7bab7ad1a5cbd0bc5a8aaa8a4cac4a6bab6a99b0cb3cac3a7aaa7aa6ac0b"
        "0bbc292ca5bab5a1ca89a98ac1a4bab4a6aa3ba79ab3997a88a2ba5aab29a5a1bab19b0a69a96a4aaa4a78a87a3aaa39"
        "5999592a9a291a9a190aaa0a68986949994939993977a09a589859299679769929918199909489849579759389839669"
        "479288828188818749089809569659379739469278728648178558718079709368638458548268628168069609358617"
        "538448257527157517058508347437247427337416147047236326407037136316306225125215025205113014104003"
    ),
    16: (
        "efbfebdfbfdbcfbfcbbfbfbbafafab9fbf9bf8b8fa7faf7a6faf6aff85faf5a4f9f49f39f093facegechddhdefe9feag"
        "d9geeeedfebfbeecdedcfdbfaeecceadfdaf7efacfcaec9f7df5eebddf282f90f91f8f189edbcecbe8eee8e9dee7ebbe"
        "8ded8e6eee6d9cdabebaee5ed7e4ede4e8cec8d3ed6ddd6e9beb9eaaee1dd4db8ea9e7bdb7ed0ee3c0ede0d5ddd5d7cd"
        "c7d4dd8bd9ad6cdc6d3dd5cdc5d0dc8ada8d99d4cdb6d7ad3cc5bd89d1ccc0c98d79de2b2ec1ecd3c2dcd2cd1c3bc97d"
        "88d1dbc4c6bcc3ca7c2cbc2cb5cc1c0cc4bcb4c6aca6cb3b5aca5c2bbb2b1bbb1b0bcb0c69c96c4aca4c78c87ca3b3ac"
        "59c2ab95c68ca1b86c77c94b49c57c67ba2a1aa0aba0b39b93b58b85b29a92a76b09b19a91a90b48b84b75b38b83b66b"
        "28b82a47b74b18a81a80a08b56b37a73a65b46b27a72a64b55b07a17971970a36a63a45a54a26a62916961906a60a539"
        "35a44a259529518159059349439509249429339148418049409238328137317038308227126216026206114014103001"
    ),
    24: (
        "ef8fe8df8fd8cf8fc8bf8fb8fa7af89f8f97f878f87f8f776f7f675f7f574f7f473f7f372f7f27f171f8f080f9eebdeb"
        "edbcebecbddbbebebbcdbdcbaebeabbdbdbbccb9ebe9badbdabbcbcbb8ebe8b9dbd9b7ebe7bacbff4cabbbb8dbd8b0ec"
        "e0c0dbe6a6eb9cbc9a5eabaae5aabb7dbd7ae4a8cac8a4eb2eb3ea6dad6ae3a9bab9aaaae2a1eae1a5dad5a7cac7a4da"
        "8bab8ad4a9aaa9a6cac6a3dad3a2dad2a1da7bab7ad1a5cac5a8aaa8a99a4cac4a6bab6ad0b0cb3cac3a7aaa7a2cac2a"
        "5bab5a1ca89a98ac1a4bac0b0bb3bab0b0ab1aab496aaa6a79a97aa0b09b90ab398892ba5aab29a5a1bab1a69a969a49"
        "4aa78a8793a9a395999592a9a29a19689869779499949399939589859299679769929199919489849579759389839669"
        "28982918947974981908a80a56965917907a70a738379279728468648558718368638458548268628168618069609358"
        "538448258528158059509517348438247427337147417048408237327136316037307226125215026206114014104004"
    ),
    32: "b6f6d6e67656956535a5c52414448401",
    33: "f4e4d4c4b4a494847464544434241404",
}
# Bits of an escape: how much a value of 15 may be larger. Tables 16 to 23 share one code, 24 to 31 another.
_ESCAPES = (1, 2, 3, 4, 6, 8, 10, 13, 4, 5, 6, 7, 8, 9, 11, 13)
_QUADS = (32, 33)
EMPTY = 0  # the table of a region without values; 4 and 14 do not exist
LONGEST = 19  # bits of a word, without escapes and signs


class Codes(NamedTuple):
    """All codes behind one another, to be read by the next LONGEST bits of many streams at once.

    Attributes:
        entries: uint16: the value (pairs: 16 x + y; quadruples: four bits) times 32, plus the word's length.
        first: where the entries of a table begin, int64 (34,); 32 and 33 are the two of quadruples.
        unread: LONGEST less the length of the table's longest word, int64 (34,).
        escape: bits of an escape, int64 (34,).
    """

    entries: np.ndarray
    first: np.ndarray
    unread: np.ndarray
    escape: np.ndarray


def _codes() -> Codes:
    parts, first, unread = [np.zeros(1, np.uint16)], np.zeros(34, np.int64), np.full(34, LONGEST)
    at = 1
    for table, leaves in _LEAVES.items():
        if table in _QUADS:
            values = [int(digit, 16) for digit in leaves[::2]]
            lengths = [int(digit, 36) for digit in leaves[1::2]]
        else:
            values = [16 * int(x, 36) + int(y, 36) for x, y in zip(leaves[::3], leaves[1::3], strict=True)]
            lengths = [int(digit, 36) for digit in leaves[2::3]]
        longest = max(lengths)
        entry = np.array(values) * 32 + np.array(lengths)
        part = np.repeat(entry, 2 ** (longest - np.array(lengths))).astype(np.uint16)
        shared = range(table, table + 8) if table in (16, 24) else (table,)
        for each in shared:
            first[each], unread[each] = at, LONGEST - longest
        parts.append(part)
        at += len(part)
    escape = np.zeros(34, np.int64)
    escape[16:32] = _ESCAPES
    return Codes(np.concatenate(parts), first, unread, escape)


CODES = _codes()
