/** Whether a file is called like a picture. */
export const isPictureName = (name: string): boolean => /\.(jpe?g|png|webp|gif|tiff?|avif|bmp)$/i.test(name);
