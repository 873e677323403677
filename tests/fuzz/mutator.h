// SPDX-License-Identifier: Apache-2.0
// Inputs for a replay: the seeds as they are, then seeds that were cut, joined, repeated and
// sprinkled with words of the dictionary. The same ones on every machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace ua::fuzz {

/// The files of a folder in the order of their names. Throws where there is none.
std::vector<std::string> read_seeds(const std::filesystem::path& folder);

/// The words of a dictionary in libFuzzer's format; none where there is no such file.
std::vector<std::string> read_dictionary(const std::filesystem::path& file);

class Mutator {
 public:
  /// @param name makes the sequence a target's own
  Mutator(std::string_view name, std::vector<std::string> seeds, std::vector<std::string> words);

  std::string next();

 private:
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }
  const std::string& seed() { return seeds_[below(seeds_.size())]; }
  void change(std::string& bytes);
  void change_byte(std::string& bytes);
  void change_part(std::string& bytes);
  void insert_word(std::string& bytes);

  std::vector<std::string> seeds_;
  std::vector<std::string> words_;
  std::mt19937_64 random_;  // its sequence is part of the C++ standard
};

}  // namespace ua::fuzz
