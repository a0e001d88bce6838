#include "os/build_id.hpp"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace holdfast::os {
namespace {

// Limits for malformed files. Real programs have a dozen program headers, a few hundred bytes of notes and a build-id
// of 20 bytes.
constexpr std::size_t max_headers = 128;
constexpr std::size_t max_note_bytes = 16 << 10;
constexpr std::size_t max_id_bytes = 64;

using Bytes = std::span<const unsigned char>;

// Reads up to the end of the buffer or of the file; returns the number of bytes.
std::size_t read_at(int fd, std::uint64_t offset, std::span<unsigned char> into) {
    std::size_t done = 0;
    while (done < into.size() && offset + done <= static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) {
        const ssize_t got = ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
        if (got <= 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

template <class Record>
bool read_record(int fd, std::uint64_t offset, Record& record) {
    std::array<unsigned char, sizeof(Record)> bytes{};
    if (read_at(fd, offset, bytes) != bytes.size()) return false;
    std::memcpy(&record, bytes.data(), bytes.size());
    return true;
}

std::string hexadecimal(Bytes bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : bytes) {
        text.push_back(digits[byte >> 4]);
        text.push_back(digits[byte & 15]);
    }
    return text;
}

// The size, including padding, of a field of `size` bytes that starts at `offset` bytes into its note.
std::size_t padded(std::size_t size, std::size_t offset, std::size_t alignment) {
    return (offset + size + alignment - 1) / alignment * alignment - offset;
}

// Removes `size` bytes and their padding from the front and returns them without padding. Returns nothing and clears
// `rest` if there are fewer bytes.
Bytes take(Bytes& rest, std::size_t size, std::size_t with_padding) {
    if (size > rest.size()) {
        rest = {};
        return {};
    }
    const Bytes taken = rest.first(size);
    rest = rest.subspan(std::min(with_padding, rest.size()));
    return taken;
}

std::string find_in_notes(Bytes rest, std::size_t alignment) {
    constexpr std::string_view owner("GNU\0", 4);
    Elf64_Nhdr note{};  // same layout in ELF32 and ELF64
    while (rest.size() >= sizeof note) {
        std::memcpy(&note, rest.data(), sizeof note);
        rest = rest.subspan(sizeof note);
        const Bytes name = take(rest, note.n_namesz, padded(note.n_namesz, sizeof note, alignment));
        const Bytes value = take(rest, note.n_descsz, padded(note.n_descsz, 0, alignment));
        if (note.n_type != NT_GNU_BUILD_ID ||
            !std::ranges::equal(name, owner, {}, {}, [](char byte) { return static_cast<unsigned char>(byte); })) {
            continue;
        }
        if (!value.empty() && value.size() <= max_id_bytes) return hexadecimal(value);
    }
    return {};
}

template <class Header, class Segment>
std::string find_in_segments(int fd) {
    Header header{};
    if (!read_record(fd, 0, header) || header.e_phentsize != sizeof(Segment)) return {};
    const std::size_t count = std::min<std::size_t>(header.e_phnum, max_headers);
    std::vector<unsigned char> notes;
    for (std::size_t index = 0; index < count; ++index) {
        Segment segment{};
        if (!read_record(fd, header.e_phoff + index * sizeof segment, segment)) return {};
        if (segment.p_type != PT_NOTE) continue;
        notes.resize(std::min<std::uint64_t>(segment.p_filesz, max_note_bytes));
        notes.resize(read_at(fd, segment.p_offset, notes));
        // Some linkers (mold) put notes with an alignment of 4 bytes into a segment with an alignment of 8.
        std::string found = find_in_notes(notes, 4);
        if (found.empty() && segment.p_align == 8) found = find_in_notes(notes, 8);
        if (!found.empty()) return found;
    }
    return {};
}

}  // namespace

std::string read_build_id(int file_fd) {
    std::array<unsigned char, EI_NIDENT> identity{};
    if (read_at(file_fd, 0, identity) != identity.size()) return {};
    if (std::memcmp(identity.data(), ELFMAG, SELFMAG) != 0) return {};
    // An ELF file of the other byte order cannot run on this machine.
    constexpr unsigned char own_order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    if (identity[EI_DATA] != own_order) return {};
    if (identity[EI_CLASS] == ELFCLASS64) return find_in_segments<Elf64_Ehdr, Elf64_Phdr>(file_fd);
    if (identity[EI_CLASS] == ELFCLASS32) return find_in_segments<Elf32_Ehdr, Elf32_Phdr>(file_fd);
    return {};
}

}  // namespace holdfast::os
