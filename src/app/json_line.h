// Lines that are JSON already.
#pragma once

#include <memory>
#include <string_view>

namespace windlass::app {

/// Tells whether a line may be shipped as it is: it must be one JSON object (RFC 8259) in UTF-8, nested at most
/// max_depth deep, with nothing but blanks around it. Not thread-safe.
class JsonLineChecker {
 public:
  static constexpr std::size_t max_depth = 128;

  JsonLineChecker();
  ~JsonLineChecker();
  JsonLineChecker(const JsonLineChecker&) = delete;
  JsonLineChecker& operator=(const JsonLineChecker&) = delete;

  bool is_object(std::string_view line);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::app
