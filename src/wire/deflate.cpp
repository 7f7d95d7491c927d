#include "wire/deflate.h"

#include <algorithm>
#include <cstdint>

#ifdef WINDLASS_ISAL
#include <isa-l/igzip_lib.h>
#else
#include <zlib.h>
#endif

#include "base/assert.h"

namespace windlass::wire {
namespace {

constexpr std::size_t output_step = std::size_t{16} << 10;
// Both libraries count a call's input in 32 bits.
constexpr std::size_t max_input_step = std::size_t{1} << 30;

}  // namespace

#ifdef WINDLASS_ISAL

struct Deflater::State {
  State(int level, ZFormat wanted) : format(wanted == ZFormat::gzip ? IGZIP_GZIP : IGZIP_ZLIB) {
    isal_deflate_init(&stream);
    stream.gzip_flag = format;
    stream.level = level <= 3 ? 1 : level <= 6 ? 2 : 3;
    stream.level_buf_size = level_bytes(stream.level);
    level_memory = std::make_unique_for_overwrite<std::uint8_t[]>(stream.level_buf_size);
    stream.level_buf = level_memory.get();
  }

  static std::uint32_t level_bytes(std::uint32_t level) {
    return level == 1 ? ISAL_DEF_LVL1_DEFAULT : level == 2 ? ISAL_DEF_LVL2_DEFAULT : ISAL_DEF_LVL3_DEFAULT;
  }

  void run(std::string_view bytes, bool last, base::ByteQueue& out) {
    stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<std::uint32_t>(bytes.size());
    stream.end_of_stream = last;
    do {
      stream.next_out = reinterpret_cast<std::uint8_t*>(out.prepare(output_step));
      stream.avail_out = output_step;
      const int result = isal_deflate(&stream);
      WINDLASS_ASSERT(result == COMP_OK);
      out.commit(output_step - stream.avail_out);
    } while (stream.avail_out == 0);
    WINDLASS_ASSERT(stream.avail_in == 0);
    if (!last) return;
    WINDLASS_ASSERT(stream.internal_state.state == ZSTATE_END);
    isal_deflate_reset(&stream);
    stream.gzip_flag = format;  // ISA-L marks here that it wrote the header, and its reset leaves the mark
  }

  const std::uint16_t format;
  isal_zstream stream;
  std::unique_ptr<std::uint8_t[]> level_memory;
};

#else

struct Deflater::State {
  State(int level, ZFormat format) {
    // zlib: 16 more than the size of the window asks for gzip.
    if (deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + (format == ZFormat::gzip ? 16 : 0), 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  ~State() { deflateEnd(&stream); }

  void run(std::string_view bytes, bool last, base::ByteQueue& out) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    int result;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(out.prepare(output_step));
      stream.avail_out = output_step;
      result = deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH);
      WINDLASS_ASSERT(result != Z_STREAM_ERROR);
      out.commit(output_step - stream.avail_out);
    } while (stream.avail_out == 0);
    WINDLASS_ASSERT(stream.avail_in == 0);
    if (!last) return;
    WINDLASS_ASSERT(result == Z_STREAM_END);
    deflateReset(&stream);
  }

  z_stream stream{};
};

#endif

Deflater::Deflater(int level, ZFormat format) : level_(std::clamp(level, 1, 9)), format_(format) {}
Deflater::~Deflater() = default;
Deflater::Deflater(Deflater&&) noexcept = default;
Deflater& Deflater::operator=(Deflater&&) noexcept = default;

Deflater::State& Deflater::state() {
  if (!state_) state_ = std::make_unique<State>(level_, format_);
  return *state_;
}

void Deflater::write(std::string_view bytes, base::ByteQueue& out) {
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, max_input_step);
    state().run(part, false, out);
    bytes.remove_prefix(part.size());
  }
}

void Deflater::finish(base::ByteQueue& out) {
  state().run({}, true, out);
}

}  // namespace windlass::wire
