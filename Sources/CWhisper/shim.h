// whisper.h, and the two calls of it whose parameter structs hold pointers: filled in here, Swift passes plain values.
#pragma once
#include <whisper.h>

/// How one window is decoded. Scalars only.
struct tijera_whisper_settings {
    int32_t threads;
    /// 1 is greedy.
    int32_t beams;
    float temperature;
    /// Frames of 20 ms that the encoder computes; 0 is all 1500.
    int32_t audio_frames;
    /// Makes the spectrogram and leaves: nothing is encoded or decoded.
    bool spectrogram_only;
};

static inline struct whisper_context * _Nullable tijera_whisper_load(
    const char * _Nonnull path, enum whisper_alignment_heads_preset heads, int32_t top_layers) {
    struct whisper_context_params parameters = whisper_context_default_params();
    parameters.use_gpu = false;
    // Word times need the attention matrices, which flash attention never builds.
    parameters.flash_attn = false;
    parameters.dtw_token_timestamps = true;
    parameters.dtw_aheads_preset = heads;
    parameters.dtw_n_top = top_layers;
    // Taken for each window, touched only as far as needed, given back. The default (128 MiB) is too small for the 23
    // heads of large-v2 and a window full of tokens, and whisper.cpp would then abort the process.
    parameters.dtw_mem_size = (size_t) 512 << 20;
    return whisper_init_from_file_with_params(path, parameters);
}

static inline bool tijera_whisper_no_encoder(
    struct whisper_context * _Nullable context, struct whisper_state * _Nullable state, void * _Nullable user_data) {
    (void) context, (void) state, (void) user_data;
    return false;
}

/// Zero, or an error code of whisper_full. `is_stop_wanted` is asked between steps of the computation.
static inline int tijera_whisper_run(
    struct whisper_context * _Nonnull context, struct tijera_whisper_settings settings,
    const char * _Nonnull language, const char * _Nullable prompt, const float * _Nullable samples, int32_t count,
    bool (* _Nonnull is_stop_wanted)(void * _Nullable), void * _Nullable user_data) {
    struct whisper_full_params parameters = whisper_full_default_params(
        settings.beams > 1 ? WHISPER_SAMPLING_BEAM_SEARCH : WHISPER_SAMPLING_GREEDY);
    parameters.n_threads = settings.threads;
    parameters.greedy.best_of = 1;
    parameters.beam_search.beam_size = settings.beams;
    parameters.temperature = settings.temperature;
    // No fallback of its own: a second try is the caller's decision, so that its cost is bounded.
    parameters.temperature_inc = 0.0f;
    parameters.audio_ctx = settings.audio_frames;
    parameters.no_timestamps = true;
    parameters.no_context = true;
    parameters.suppress_blank = true;
    parameters.suppress_nst = true;
    parameters.print_progress = false;
    parameters.print_realtime = false;
    parameters.print_timestamps = false;
    parameters.print_special = false;
    parameters.language = language;
    parameters.initial_prompt = prompt;
    parameters.abort_callback = is_stop_wanted;
    parameters.abort_callback_user_data = user_data;
    if (settings.spectrogram_only) parameters.encoder_begin_callback = tijera_whisper_no_encoder;
    return whisper_full(context, parameters, samples, count);
}
