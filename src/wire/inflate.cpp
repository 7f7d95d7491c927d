#include "wire/inflate.h"

#include <algorithm>
#include <cstdint>

#ifdef WINDLASS_ISAL
#include <isa-l/igzip_lib.h>
#else
#include <new>
#include <zlib.h>
#endif

#include "base/assert.h"

namespace windlass::wire {
namespace {

// Both libraries count a call's bytes in 32 bits.
constexpr std::size_t max_step = std::size_t{1} << 30;

}  // namespace

// State::run inflates from `in` to `space` bytes at `to`, sets the three results, and says whether the stream is sound.

#ifdef WINDLASS_ISAL

struct Inflater::State {
  explicit State(ZFormat format) {
    isal_inflate_init(&stream);
    stream.crc_flag = format == ZFormat::gzip ? ISAL_GZIP : ISAL_ZLIB;
    stream.hist_bits = 0;
  }

  void reset() { isal_inflate_reset(&stream); }

  bool run(std::string_view in, char* to, std::size_t space) {
    stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(in.data()));
    stream.avail_in = static_cast<std::uint32_t>(in.size());
    stream.next_out = reinterpret_cast<std::uint8_t*>(to);
    stream.avail_out = static_cast<std::uint32_t>(space);
    const bool sound = isal_inflate(&stream) == ISAL_DECOMP_OK;
    // At a damaged place ISA-L miscounts its input, by what it had read ahead. Nobody reads on from there.
    used = sound ? in.size() - stream.avail_in : in.size();
    WINDLASS_ASSERT(used <= in.size() && stream.avail_out <= space);
    made = space - stream.avail_out;
    ended = stream.block_state == ISAL_BLOCK_FINISH;
    // Up to eight bytes are read ahead, as bits. Whole bytes of them at the end did not belong to the stream; single
    // bits filled up its last byte.
    surplus = ended && (stream.avail_in > 0 || stream.read_in_length >= 8);
    return sound;
  }

  inflate_state stream;
  std::size_t used = 0;
  std::size_t made = 0;
  bool ended = false;
  bool surplus = false;
};

#else

struct Inflater::State {
  explicit State(ZFormat format) {
    if (inflateInit2(&stream, MAX_WBITS + (format == ZFormat::gzip ? 16 : 0)) != Z_OK) throw std::bad_alloc();
  }
  ~State() { inflateEnd(&stream); }

  void reset() { inflateReset(&stream); }

  bool run(std::string_view in, char* to, std::size_t space) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(to);
    stream.avail_out = static_cast<uInt>(space);
    const int result = ::inflate(&stream, Z_NO_FLUSH);
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    used = in.size() - stream.avail_in;
    made = space - stream.avail_out;
    ended = result == Z_STREAM_END;
    surplus = ended && stream.avail_in > 0;
    return ended || result == Z_OK || result == Z_BUF_ERROR;
  }

  z_stream stream{};
  std::size_t used = 0;
  std::size_t made = 0;
  bool ended = false;
  bool surplus = false;
};

#endif

Inflater::Inflater(std::size_t max_bytes, ZFormat format) : max_bytes_(max_bytes), format_(format) {
  WINDLASS_ASSERT(max_bytes < UINT32_MAX);
}
Inflater::~Inflater() = default;
Inflater::Inflater(Inflater&&) noexcept = default;
Inflater& Inflater::operator=(Inflater&&) noexcept = default;

void Inflater::reset() {
  inflated_ = 0;
  if (state_) state_->reset();
}

void Inflater::release() {
  state_.reset();
}

std::size_t Inflater::memory() const {
  return state_ ? sizeof(State) : 0;
}

Inflater::Status Inflater::inflate(std::string_view& in, base::ByteQueue& out, std::size_t most) {
  WINDLASS_ASSERT(most > 0);
  if (!state_) state_ = std::make_unique<State>(format_);

  // At the limit, a byte of room that is not handed out tells a stream that ends here from one that goes on.
  const std::size_t allowed = max_bytes_ - inflated_;
  const std::size_t space = allowed == 0 ? 1 : std::min({most, allowed, max_step});
  char beyond;
  const std::string_view given = in.substr(0, max_step);
  const bool sound = state_->run(given, allowed == 0 ? &beyond : out.prepare(space), space);

  in.remove_prefix(state_->used);
  const std::size_t made = state_->made;
  if (allowed > 0) {
    out.commit(made);
    inflated_ += made;
  }
  if (!sound) return Status::corrupt;
  if (allowed == 0 && made > 0) return Status::too_large;
  if (state_->ended) return state_->surplus || !in.empty() ? Status::surplus : Status::end;
  if (made == space) return Status::full;
  if (in.empty()) return Status::need_input;
  // Room and input are left and neither was used: the stream asks for something else, such as a dictionary.
  return state_->used == 0 && made == 0 ? Status::corrupt : Status::full;
}

}  // namespace windlass::wire
