// A broken rule, as the checker throws it.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace windlass::sim {

class Violation : public std::runtime_error {
 public:
  /// `rule` is a short sentence that says what must hold; `found` says what did not.
  Violation(std::string rule, const std::string& found)
      : std::runtime_error(rule + ": " + found), rule_(std::move(rule)) {}
  const std::string& rule() const { return rule_; }

 private:
  std::string rule_;
};

}  // namespace windlass::sim
