// What training needs of oneDNN beyond shim.h, which includes this: forward passes that keep what
// the backward ones use, and the backward ones. `hint` is the description of the forward primitive.
#ifndef SMARTDEAL_CONEDNN_TRAINING_H
#define SMARTDEAL_CONEDNN_TRAINING_H

static inline dnnl_status_t sdn_convolution_backward_data(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const sdn_layout *source_gradient,
    const sdn_layout *weights, const sdn_layout *gradient, const int64_t *strides,
    const int64_t *dilations, const int64_t *begin, const int64_t *end,
    const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attributes) {
#if SDN_V3
    return dnnl_convolution_backward_data_primitive_desc_create(
        result, engine, dnnl_convolution_direct, sdn_md_of(source_gradient), sdn_md_of(weights),
        sdn_md_of(gradient), strides, dilations, begin, end, hint, attributes);
#else
    dnnl_convolution_desc_t desc;
    dnnl_status_t status = dnnl_dilated_convolution_backward_data_desc_init(
        &desc, dnnl_convolution_direct, sdn_md_of(source_gradient), sdn_md_of(weights),
        sdn_md_of(gradient), strides, dilations, begin, end);
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, hint);
#endif
}

static inline dnnl_status_t sdn_convolution_backward_weights(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const sdn_layout *source,
    const sdn_layout *weights_gradient, const sdn_layout *bias_gradient,
    const sdn_layout *gradient, const int64_t *strides, const int64_t *dilations,
    const int64_t *begin, const int64_t *end, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes) {
#if SDN_V3
    return dnnl_convolution_backward_weights_primitive_desc_create(
        result, engine, dnnl_convolution_direct, sdn_md_of(source), sdn_md_of(weights_gradient),
        sdn_md_of(bias_gradient), sdn_md_of(gradient), strides, dilations, begin, end, hint,
        attributes);
#else
    dnnl_convolution_desc_t desc;
    dnnl_status_t status = dnnl_dilated_convolution_backward_weights_desc_init(
        &desc, dnnl_convolution_direct, sdn_md_of(source), sdn_md_of(weights_gradient),
        sdn_md_of(bias_gradient), sdn_md_of(gradient), strides, dilations, begin, end);
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, hint);
#endif
}

static inline unsigned sdn_batch_flags(int relu) {
    return dnnl_use_scale | dnnl_use_shift | (relu ? dnnl_fuse_norm_relu : 0);
}

// With the statistics of the batch, which it gives; `relu`: and a ReLU whose sign it keeps.
static inline dnnl_status_t sdn_batch_normalization_training(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, float epsilon, int relu,
    const sdn_layout *layout, const_dnnl_primitive_attr_t attributes) {
#if SDN_V3
    return dnnl_batch_normalization_forward_primitive_desc_create(
        result, engine, dnnl_forward_training, sdn_md_of(layout), sdn_md_of(layout), epsilon,
        sdn_batch_flags(relu), attributes);
#else
    dnnl_batch_normalization_desc_t desc;
    dnnl_status_t status = dnnl_batch_normalization_forward_desc_init(
        &desc, dnnl_forward_training, sdn_md_of(layout), epsilon, sdn_batch_flags(relu));
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, NULL);
#endif
}

static inline dnnl_status_t sdn_batch_normalization_backward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, float epsilon, int relu,
    const sdn_layout *layout, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes) {
#if SDN_V3
    return dnnl_batch_normalization_backward_primitive_desc_create(
        result, engine, dnnl_backward, sdn_md_of(layout), sdn_md_of(layout), sdn_md_of(layout),
        epsilon, sdn_batch_flags(relu), hint, attributes);
#else
    dnnl_batch_normalization_desc_t desc;
    dnnl_status_t status = dnnl_batch_normalization_backward_desc_init(
        &desc, dnnl_backward, sdn_md_of(layout), sdn_md_of(layout), epsilon,
        sdn_batch_flags(relu));
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, hint);
#endif
}

// The gradient of a function from its source.
static inline dnnl_status_t sdn_eltwise_backward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, int function, float alpha, float beta,
    const sdn_layout *layout, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attributes) {
    alpha = sdn_function_alpha(function, alpha);
    beta = sdn_function_beta(function, beta);
#if SDN_V3
    return dnnl_eltwise_backward_primitive_desc_create(
        result, engine, sdn_function_kind(function), sdn_md_of(layout), sdn_md_of(layout),
        sdn_md_of(layout), alpha, beta, hint, attributes);
#else
    dnnl_eltwise_desc_t desc;
    dnnl_status_t status = dnnl_eltwise_backward_desc_init(
        &desc, sdn_function_kind(function), sdn_md_of(layout), sdn_md_of(layout), alpha, beta);
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, hint);
#endif
}

static inline dnnl_alg_kind_t sdn_pooling_algorithm(int kind) {
    return kind == sdn_pooling_max ? dnnl_pooling_max
        : kind == sdn_pooling_average ? dnnl_pooling_avg_exclude_padding
                                      : dnnl_pooling_avg_include_padding;
}

static inline dnnl_status_t sdn_pooling_training(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, int kind, const sdn_layout *source,
    const sdn_layout *target, const int64_t *kernel, const int64_t *strides,
    const int64_t *dilations, const int64_t *begin, const int64_t *end,
    const_dnnl_primitive_attr_t attributes) {
#if SDN_V3
    return dnnl_pooling_forward_primitive_desc_create(
        result, engine, dnnl_forward_training, sdn_pooling_algorithm(kind), sdn_md_of(source),
        sdn_md_of(target), strides, kernel, dilations, begin, end, attributes);
#else
    dnnl_pooling_v2_desc_t desc;
    dnnl_status_t status = dnnl_pooling_v2_forward_desc_init(
        &desc, dnnl_forward_training, sdn_pooling_algorithm(kind), sdn_md_of(source),
        sdn_md_of(target), strides, kernel, dilations, begin, end);
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, NULL);
#endif
}

static inline dnnl_status_t sdn_pooling_backward(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, int kind,
    const sdn_layout *source_gradient, const sdn_layout *gradient, const int64_t *kernel,
    const int64_t *strides, const int64_t *dilations, const int64_t *begin, const int64_t *end,
    const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attributes) {
#if SDN_V3
    return dnnl_pooling_backward_primitive_desc_create(
        result, engine, sdn_pooling_algorithm(kind), sdn_md_of(source_gradient),
        sdn_md_of(gradient), strides, kernel, dilations, begin, end, hint, attributes);
#else
    dnnl_pooling_v2_desc_t desc;
    dnnl_status_t status = dnnl_pooling_v2_backward_desc_init(
        &desc, sdn_pooling_algorithm(kind), sdn_md_of(source_gradient), sdn_md_of(gradient),
        strides, kernel, dilations, begin, end);
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, hint);
#endif
}

// Numbers of arguments that Swift cannot import as constants.
enum sdn_training_argument {
    sdn_argument_source_gradient = DNNL_ARG_DIFF_SRC,
    sdn_argument_target_gradient = DNNL_ARG_DIFF_DST,
    sdn_argument_weights_gradient = DNNL_ARG_DIFF_WEIGHTS,
    sdn_argument_bias_gradient = DNNL_ARG_DIFF_BIAS,
    sdn_argument_scale_gradient = DNNL_ARG_DIFF_SCALE,
    sdn_argument_shift_gradient = DNNL_ARG_DIFF_SHIFT,
    sdn_argument_workspace = DNNL_ARG_WORKSPACE
};

// An OpenMP parallel region of oneDNN's own threads, where it is built with GNU OpenMP: its threads
// keep spinning after a primitive, so others would have to share the processors with them.
// Calls body(context) on `threads` threads; returns 0 when there is no such runtime.
static inline int sdn_team_run(int threads, void (*body)(void *), void *context) {
    static void (*parallel)(void (*)(void *), void *, unsigned, unsigned);
    if (!parallel)
        parallel = (void (*)(void (*)(void *), void *, unsigned, unsigned))dlsym(
            RTLD_DEFAULT, "GOMP_parallel");
    if (!parallel) return 0;
    parallel(body, context, (unsigned)threads, 0);
    return 1;
}

#endif
