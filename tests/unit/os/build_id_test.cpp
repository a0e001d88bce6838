#include "os/build_id.hpp"

#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "launch_support.hpp"

namespace holdfast::os {
namespace {

template <class Record>
std::string bytes_of(const Record& record) {
    return {reinterpret_cast<const char*>(&record), sizeof record};
}

std::string note(std::uint32_t type, std::string owner, const std::string& value) {
    const Elf64_Nhdr header{static_cast<Elf64_Word>(owner.size()), static_cast<Elf64_Word>(value.size()), type};
    owner.resize((owner.size() + 3) / 4 * 4);
    std::string padded = value;
    padded.resize((value.size() + 3) / 4 * 4);
    return bytes_of(header) + owner + padded;
}

const std::string gnu("GNU\0", 4);

struct Elf {
    Elf64_Ehdr header{};
    Elf64_Phdr segment{};
    std::string notes;

    explicit Elf(std::string with) : notes(std::move(with)) {
        std::memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_ident[EI_CLASS] = ELFCLASS64;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        header.e_phoff = sizeof header;
        header.e_phentsize = sizeof segment;
        header.e_phnum = 1;
        segment.p_type = PT_NOTE;
        segment.p_offset = sizeof header + sizeof segment;
        segment.p_filesz = notes.size();
        segment.p_align = 4;
    }
    std::string bytes() const { return bytes_of(header) + bytes_of(segment) + notes; }
};

std::string build_id_of(const std::string& content) {
    const UniqueFd file{::memfd_create("program", MFD_CLOEXEC)};
    EXPECT_EQ(::write(file.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
    return read_build_id(file.get());
}

TEST(BuildId, IsFoundAmongOtherNotes) {
    const std::string notes = note(1, gnu, std::string(16, 'x')) + note(NT_GNU_BUILD_ID, std::string("Go\0", 3), "no") +
                              note(NT_GNU_BUILD_ID, gnu, "\x01\xfe\x7f");
    EXPECT_EQ(build_id_of(Elf(notes).bytes()), "01fe7f");
}

TEST(BuildId, IsFoundInASegmentWithALargerAlignmentThanItsNotes) {
    Elf elf(note(NT_GNU_PROPERTY_TYPE_0, gnu, std::string(16, 'x')) + note(NT_GNU_BUILD_ID, gnu, "abcdefgh") +
            note(NT_GNU_ABI_TAG, gnu, std::string(16, 'x')));
    elf.segment.p_align = 8;
    EXPECT_EQ(build_id_of(elf.bytes()), "6162636465666768");
}

TEST(BuildId, IsFoundAmongNotesAlignedToEightBytes) {
    const std::string padding(4, '\0');
    Elf elf(note(1, gnu, std::string(20, 'x')) + padding + note(NT_GNU_BUILD_ID, gnu, "abcdefgh"));
    elf.segment.p_align = 8;
    EXPECT_EQ(build_id_of(elf.bytes()), "6162636465666768");
}

TEST(BuildId, OfARealProgramIsEqualInEveryCopy) {
    const UniqueFd first{::open(launch_probe().c_str(), O_RDONLY | O_CLOEXEC)};
    const UniqueFd second{::open(launch_probe().c_str(), O_RDONLY | O_CLOEXEC)};
    EXPECT_GE(read_build_id(first.get()).size(), 16U);
    EXPECT_EQ(read_build_id(first.get()), read_build_id(second.get()));
}

TEST(BuildId, IsEmptyForAFileWithoutBuildId) {
    EXPECT_EQ(build_id_of(""), "");
    EXPECT_EQ(build_id_of("#!/bin/sh\nexit 0\n"), "");
    EXPECT_EQ(build_id_of(Elf("").bytes()), "");
    EXPECT_EQ(build_id_of(Elf(note(NT_GNU_BUILD_ID, gnu, "")).bytes()), "");
    EXPECT_EQ(read_build_id(-1), "");
    Elf foreign(note(NT_GNU_BUILD_ID, gnu, "abc"));
    foreign.header.e_ident[EI_DATA] = ELFDATA2MSB;
    EXPECT_EQ(build_id_of(foreign.bytes()), "");
}

TEST(BuildId, OfATruncatedFileIsEmpty) {
    const std::string whole = Elf(note(NT_GNU_BUILD_ID, gnu, "abcdefgh")).bytes();
    ASSERT_EQ(build_id_of(whole), "6162636465666768");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(build_id_of(whole.substr(0, size)), "") << "first " << size << " bytes";
    }
}

TEST(BuildId, IsEmptyForAFileWithMalformedSizes) {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    Elf elf(note(NT_GNU_BUILD_ID, gnu, "abcd"));
    for (const std::uint64_t lie : {most, most / 2, most / 2 - 8, std::uint64_t{1} << 40}) {
        Elf offset = elf, size = elf, table = elf;
        offset.segment.p_offset = lie;
        EXPECT_EQ(build_id_of(offset.bytes()), "");
        size.segment.p_filesz = lie;
        EXPECT_EQ(build_id_of(size.bytes()), "61626364");
        table.header.e_phoff = lie;
        EXPECT_EQ(build_id_of(table.bytes()), "");
    }
    elf.header.e_phnum = 0xffff;
    elf.segment.p_type = PT_LOAD;
    EXPECT_EQ(build_id_of(elf.bytes()), "");
    const Elf64_Nhdr long_name{0xffffffff, 4, NT_GNU_BUILD_ID}, long_value{4, 0xffffffff, NT_GNU_BUILD_ID};
    EXPECT_EQ(build_id_of(Elf(bytes_of(long_name) + gnu + "abcd").bytes()), "");
    EXPECT_EQ(build_id_of(Elf(bytes_of(long_value) + gnu + "abcd").bytes()), "");
    EXPECT_EQ(build_id_of(Elf(note(NT_GNU_BUILD_ID, gnu, std::string(65, 'x'))).bytes()), "");
}

TEST(BuildId, IsBoundedWhateverByteIsChanged) {
    const std::string whole = Elf(note(7, gnu, "1234") + note(NT_GNU_BUILD_ID, gnu, "abcdefgh")).bytes();
    std::mt19937 random(20261122);
    for (int round = 0; round < 2000; ++round) {
        std::string turned = whole;
        for (int count = 0; count < 4; ++count) {
            turned[SELFMAG + random() % (turned.size() - SELFMAG)] = static_cast<char>(random());
        }
        EXPECT_LE(build_id_of(turned).size(), 128U);
    }
}

}  // namespace
}  // namespace holdfast::os
