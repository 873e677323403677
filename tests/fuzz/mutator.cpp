// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/mutator.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "collectors/core/text.h"

namespace ua::fuzz {
namespace {

constexpr std::size_t kMaxBytes = 2048;

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// `name="va\x6cue"`: the value; empty for a line without one.
std::string word_of(std::string_view line) {
  const std::size_t begin = line.find('"');
  const std::size_t end = line.rfind('"');
  std::string result;
  if (line.starts_with('#') || begin == end) return result;
  for (std::size_t i = begin + 1; i < end; ++i) {
    if (line[i] != '\\') {
      result += line[i];
    } else if (line[i + 1] == 'x') {
      result += static_cast<char>(std::stoi(std::string(line.substr(i + 2, 2)), nullptr, 16));
      i += 3;
    } else {
      result += line[++i];
    }
  }
  return result;
}

/// What is hostile anywhere: ends of lines, quotes, and bytes that are not UTF-8 or do not show.
std::vector<std::string> words_for_all() {
  return {"\n",
          "\r\n",
          std::string(1, '\0'),
          "\"",
          "\\",
          "'",
          "\xff",
          "\xe2\x80\xae",
          "\xed\xa0\x80",
          "\xc2\x9b",
          "\xd8\x9c",
          "\x1b[31m",
          "<b>",
          "&",
          "18446744073709551616",
          "-1",
          std::string(300, 'a')};
}

}  // namespace

std::vector<std::string> read_seeds(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> result(files.size());
  std::transform(files.begin(), files.end(), result.begin(), content_of);
  if (result.empty()) throw std::runtime_error("no seeds in " + folder.string());
  return result;
}

std::vector<std::string> read_dictionary(const std::filesystem::path& file) {
  std::vector<std::string> result;
  const std::string content = content_of(file);
  for (const std::string_view line : split(content, '\n')) {
    if (std::string word = word_of(line); !word.empty()) result.push_back(std::move(word));
  }
  return result;
}

Mutator::Mutator(std::string_view name, std::vector<std::string> seeds,
                 std::vector<std::string> words)
    : seeds_(std::move(seeds)), words_(std::move(words)), random_(stable_hash(name)) {
  const auto more = words_for_all();
  words_.insert(words_.end(), more.begin(), more.end());
}

std::string Mutator::next() {
  std::string bytes = seed();
  for (std::size_t i = below(6); i < 6; ++i) change(bytes);
  if (bytes.size() > kMaxBytes) bytes.resize(kMaxBytes);
  return bytes;
}

void Mutator::change(std::string& bytes) {
  switch (below(4)) {
    case 0:
      change_byte(bytes);
      break;
    case 1:
      change_part(bytes);
      break;
    default:
      insert_word(bytes);
  }
}

void Mutator::change_byte(std::string& bytes) {
  if (bytes.empty()) return;
  char& byte = bytes[below(bytes.size())];
  byte = static_cast<char>(below(2) == 0 ? byte ^ (1 << below(8)) : static_cast<int>(below(256)));
}

/// Drops, repeats or replaces a stretch; joins two seeds.
void Mutator::change_part(std::string& bytes) {
  const std::size_t at = below(bytes.size() + 1);
  const std::size_t length = below(bytes.size() - at + 1);
  switch (below(4)) {
    case 0:
      bytes.erase(at, length);
      break;
    case 1:
      bytes.insert(below(bytes.size() + 1), bytes.substr(at, length));
      break;
    case 2:
      bytes.resize(at);
      break;
    default: {
      const std::string& other = seed();
      bytes = bytes.substr(0, at) + other.substr(below(other.size() + 1));
    }
  }
}

void Mutator::insert_word(std::string& bytes) {
  const std::string& word = words_[below(words_.size())];
  const std::size_t at = below(bytes.size() + 1);
  const bool over = below(2) == 0;  // what is there
  bytes.replace(at, over ? std::min(word.size(), bytes.size() - at) : 0, word);
}

}  // namespace ua::fuzz
