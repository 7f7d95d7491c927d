// The real storage: a directory of a POSIX file system.
#pragma once

#include <memory>
#include <string>

#include "queue/storage.h"

namespace windlass::queue {

class Directory final : public Storage {
 public:
  /// Makes the directory, and those above it, where it does not exist and `create` says so.
  static std::error_code open(const std::string& path, bool create, std::unique_ptr<Directory>& directory);
  ~Directory() override;

  /// By flock() on the file `lock`, which holds the number of the process that has it.
  std::error_code lock() override;
  std::error_code list(std::vector<std::string>& names) override;
  std::error_code open(const std::string& name, Open how, std::unique_ptr<File>& file) override;
  std::error_code rename(const std::string& from, const std::string& to) override;
  std::error_code remove(const std::string& name) override;
  std::error_code sync_names() override;

  /// The process that lock() found to be there before; 0: not known.
  int holder() const { return holder_; }

 private:
  Directory(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  const std::string path_;
  const int descriptor_;
  int lock_ = -1;
  int holder_ = 0;
};

}  // namespace windlass::queue
